// Package e2e has no code: its tests run the example servers behind real
// reverse proxies that are configured by the very files of docs/proxies, and
// open them in a real browser. Tests with other projects' middleware are here too,
// so that it enters no user's module graph.
package e2e
