package main

import (
	"os/exec"
	"runtime"
)

// openBrowser asks the system to show a page. It does not learn whether the page appears.
func openBrowser(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows": // not cmd's start, which reads "&" as its own syntax
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	command := exec.Command(name, args...) //nolint:gosec // the URL is at the endpoint, and no shell reads it
	if err := command.Start(); err != nil {
		return err
	}
	go func() { _ = command.Wait() }()
	return nil
}

// canShow reports whether a browser can appear on the screen of the person at the terminal.
func canShow(env func(string) string) bool {
	remote := env("SSH_CONNECTION") != "" || env("SSH_TTY") != ""
	return !remote && (runtime.GOOS != "linux" || env("DISPLAY") != "" || env("WAYLAND_DISPLAY") != "")
}
