package authgearhttp

import "net/http"

// watchedWriter notices whether a custom error handler wrote an answer.
type watchedWriter struct {
	http.ResponseWriter
	written bool
}

func (w *watchedWriter) WriteHeader(status int) {
	w.written = w.written || status >= 200 || status == http.StatusSwitchingProtocols // other 1xx come before the answer
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(b []byte) (int, error) {
	w.written = true
	return w.ResponseWriter.Write(b)
}

// FlushError sends at least the header, which is an answer too.
func (w *watchedWriter) FlushError() error {
	w.written = true
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap gives http.ResponseController the server's own writer.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
