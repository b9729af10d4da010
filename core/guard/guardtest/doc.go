// Package guardtest is the conformance suite that every adapter passes, over a
// real listener: exact status, headers and bytes for each rule, with an
// authenticator that does as it is told and with the SDK's own ones.
//
// It is for those who write an adapter. An adapter's test is one call of [Run]
// with an [Adapter]: a function that mounts the suite's routes in its framework,
// and its own policies. [RunCore] has the cases that need no framework in
// particular.
package guardtest
