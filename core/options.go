package authgear

// Options is what the configurations of all adapters share. The zero value is
// right for most services.
type Options struct {
	// Observer is told of each decision. nil: LogObserver(nil).
	Observer *Observer
}
