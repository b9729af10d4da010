// Package consumer has the test that what is published builds: programs outside
// this repository, each of which imports one adapter.
package consumer
