package doctor

import (
	"fmt"
	"strings"
)

const (
	width  = 100 // of a line, unless one word is longer
	marked = 8   // of a line for the status
)

var marks = map[Status]string{StatusOK: "ok", StatusWarning: "warning", StatusFailed: "FAILED", StatusSkipped: "-"}

// String returns the report as text for a terminal, which ends with the verdict.
func (r Report) String() string {
	names := 0
	for _, step := range r.Steps {
		names = max(names, len(step.Name))
	}
	var b strings.Builder
	for _, step := range r.Steps {
		head := fmt.Sprintf("%-*s %-*s  ", marked, marks[step.Status], names, step.Name)
		wrap(&b, head, step.Detail)
		indent := strings.Repeat(" ", len(head))
		if step.Fix != "" {
			wrap(&b, indent+"-> ", step.Fix)
		}
		if step.Docs != "" {
			wrap(&b, indent, step.Docs)
		}
	}
	b.WriteString("\n" + r.Verdict + "\n")
	return b.String()
}

// wrap writes text in lines that begin where head ends.
func wrap(b *strings.Builder, head, text string) {
	line := head
	used := false
	for word := range strings.FieldsSeq(text) {
		if used && len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line, used = strings.Repeat(" ", len(head)), false
		}
		if used {
			line += " "
		}
		line, used = line+word, true
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}
