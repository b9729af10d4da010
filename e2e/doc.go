// Package e2e has no code. Its tests run the example servers behind real reverse
// proxies, which use the files of docs/proxies, and open them in a real browser. Tests
// with other projects' middleware are here too, so that this middleware is in no user's
// module graph.
package e2e
