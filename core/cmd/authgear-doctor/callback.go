package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// serve answers the browser that is redirected back, until stop is called.
func (s *signIn) serve(listener net.Listener) (stop func()) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		if err := s.take(r.URL.Query()); err != nil {
			page(w, http.StatusBadRequest, "This is not the answer to the sign-in that the terminal waits for.")
			return
		}
		page(w, http.StatusOK, "Go back to the terminal, which says how it went. You can close this page.")
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(listener) }()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second) // so that the page can arrive
		defer cancel()
		_ = server.Shutdown(ctx)
	}
}

// page shows one sentence. The address of the page has the code in it, so the page must
// not tell the address to others.
func page(w http.ResponseWriter, status int, sentence string) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	header.Set("Connection", "close")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html lang=\"en\"><title>authgear-doctor</title><h1>authgear-doctor</h1><p>%s</p></html>\n", sentence)
}
