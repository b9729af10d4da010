package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/go-json-experiment/json"
)

// read reads a file that holds a JSON array. An unknown member is an error: otherwise
// a mistake such as "role" instead of "roles" would show only much later.
func read[T any](name string) ([]T, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all []T
	if err := json.Unmarshal(data, &all, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(all) == 0 {
		return nil, errors.New(name + ": an empty list")
	}
	return all, nil
}
