package authgeartest

import (
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// target says where the answer to an authorization request goes.
type target struct {
	uri   *url.URL // nil: there is no redirect URI, so a page shows the answer
	mode  string   // response_mode
	state string
}

// failure is an OAuth error (RFC 6749 §4.1.2.1 and §5.2).
type failure struct {
	code, description string
	status            int // status at the token endpoint, 0: 400
}

// refuse answers an authorization request with an error.
func (t target) refuse(f *failure) http.HandlerFunc {
	return t.answer(map[string]string{"error": f.code, "error_description": f.description})
}

// answer adds the state to an answer and sends the browser back with it.
func (t target) answer(answer map[string]string) http.HandlerFunc {
	if t.state != "" {
		answer["state"] = t.state
	}
	if t.uri == nil {
		return func(w http.ResponseWriter, _ *http.Request) {
			text := "Invalid OAuth authorization request:"
			for _, name := range slices.Sorted(maps.Keys(answer)) {
				text += "\n" + name + ": " + answer[name]
			}
			http.Error(w, text, http.StatusBadRequest)
		}
	}
	to, query := *t.uri, t.uri.Query()
	for name, value := range answer {
		query.Set(name, value)
	}
	switch t.mode {
	case "", "query":
		to.RawQuery = query.Encode()
	case "fragment":
		values := url.Values{}
		for name, value := range answer {
			values.Set(name, value)
		}
		return seeOther(to.String() + "#" + values.Encode()) // a redirect URI has no fragment of its own (RFC 6749 §3.1.2)
	case "form_post":
		return func(w http.ResponseWriter, r *http.Request) { formPost(w, r, t.uri.String(), answer) }
	default:
		mode := t.mode
		return func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "oauth: invalid response_mode "+mode, http.StatusBadRequest)
		}
	}
	return seeOther(to.String())
}

var seeOtherPage = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html>
<head>
<meta http-equiv="refresh" content="0;url={{.URI}}" />
</head>
<body>
<script nonce="{{.Nonce}}">
window.location.href = "{{.URI}}"
</script>
</body>
</html>
`))

// seeOther redirects by header, meta element and script, as Authgear does.
func seeOther(uri string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", uri)
		writePage(w, http.StatusSeeOther, seeOtherPage, map[string]string{"URI": uri, "Nonce": nonce(r)})
	}
}

var formPostPage = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html>
<head>
<title>Submit this form</title>
</head>
<body>
<noscript>Please submit this form to proceed</noscript>
<form method="post" action="{{.URI}}">
{{- range $name, $value := .Answer}}
<input type="hidden" name="{{$name}}" value="{{$value}}">
{{- end}}
<button type="submit" name="" value="">Submit</button>
</form>
<script nonce="{{.Nonce}}">
document.forms[0].submit();
</script>
</body>
</html>
`))

func formPost(w http.ResponseWriter, r *http.Request, uri string, answer map[string]string) {
	writePage(w, http.StatusOK, formPostPage, map[string]any{"URI": uri, "Answer": answer, "Nonce": nonce(r)})
}

func writePage(w http.ResponseWriter, status int, page *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = page.Execute(w, data) // fails when the browser is gone
}
