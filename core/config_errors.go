package authgear

import (
	"errors"
	"fmt"
	"slices"
)

// configErrors collects what is wrong with a configuration, so that one error names
// all of it.
type configErrors []error

// add drops an error that is there already: some fields of Hybrid are checked twice, for
// JWT and for Resolver.
func (e *configErrors) add(field string, err error) {
	if err == nil {
		return
	}
	err = fmt.Errorf("%s: %w", field, err)
	if !slices.ContainsFunc(*e, func(other error) bool { return other.Error() == err.Error() }) {
		*e = append(*e, err)
	}
}

// err returns nil when there is no mistake in the configuration of that name.
func (e configErrors) err(config string) error {
	if len(e) == 0 {
		return nil
	}
	return fmt.Errorf("authgear: %s: %w", config, errors.Join(e...))
}
