// Package authgeartest is a small Authgear for development and tests: a real
// HTTP server on a loopback address that answers as Authgear was observed to
// answer, with users, credentials and levers under the control of the program
// that started it. It is not for production: everybody who can call it is told
// what they ask, and nothing outlives the process.
//
// # In a test
//
//	auth := authgeartest.New(t)
//	alice := auth.AddUser(authgeartest.User{Verified: true, Roles: []string{"editor"}})
//	token := auth.AccessToken(alice)
//
// Configure the service under test with [Server.Endpoint] as its Authgear
// endpoint and send it "Authorization: Bearer " + token. The server is closed
// when the test ends. A program that is no test uses [Start].
//
// # Credentials
//
// [Server.AccessToken] mints a JWT, [Server.OpaqueToken] a token that only the
// resolver understands, [Server.SessionCookie] a session cookie,
// [Server.ClientToken] a client's own token and [Server.IDToken] an ID token.
// [Server.SetAuthTime] ages the login of a session, [Server.Reauthenticate]
// renews it, with a new ID token.
// [Token] changes what is in them: the client, the time of the login, any
// claim. [Server.Sign] signs anything at all.
//
// # Levers
//
// Keys rotate ([Server.RotateKeys], [Server.PublishNextKey],
// [Server.RemoveOldKeys]). Users are disabled, deleted, given other roles;
// sessions are revoked. The server goes down ([Server.SetDown]), fails
// ([Server.SetFailing]), becomes slow ([Server.SetSlow]). Its PostgreSQL goes
// away ([Server.SetOutage]), restarts ([Server.RestartDatabase]), or fails in
// the middle of a call ([Server.FailDatabase], [Server.SetDatabaseFailing]); its
// Redis goes away ([Server.SetRedisDown]), hangs ([Server.SetRedisHanging]) or
// takes nothing any more ([Server.SetRedisReadOnly]). [Server.Handle] puts any
// other answer in the place of an endpoint's, [Server.Requests] counts.
//
// # Endpoints
//
//	/.well-known/openid-configuration, /.well-known/oauth-authorization-server
//	/oauth2/jwks
//	/oauth2/userinfo
//	/oauth2/revoke
//	/_resolver/resolve, /resolve
//
// Their answers are compared with recordings of a real Authgear in this
// package's tests. There is no sign-in page and no token endpoint: credentials
// are minted by methods, and for a shell by paths that no real Authgear has:
//
//	curl -H "Authorization: Bearer $(curl -s http://127.0.0.1:PORT/token/alice)" …
//
// They answer plain text, to GET, and only if asked by this server's own host:
//
//   - /token/{user}: a new JWT access token of the user with that ID;
//     ?client_id=, ?expires_in= and ?login_age= (seconds since the login) change
//     it as [Token] does.
//   - /reauthenticate, with "Authorization: Bearer TOKEN" or the session cookie:
//     what [Server.Reauthenticate] returns. 401 without a live session, 403 for
//     a user who cannot reauthenticate.
//   - /client-token/{client}?resource=URI&scope=a+b: a token as by
//     [Server.ClientToken], of any client.
//
// # Oddities worth knowing
//
// They are Authgear's, so they are here too:
//
//   - The resolver answers an invalid Bearer token as if nothing had been sent,
//     an invalid session cookie with "X-Authgear-Session-Valid: false".
//   - A token wins over a cookie; beside an invalid token the cookie counts. So
//     with the cookie "session=~", which is nobody's, the refusal of a token is
//     told too.
//   - A JWT counts only if its audience is the origin of the very request: a
//     call through another address needs the endpoint's Host and
//     X-Forwarded-Proto.
//   - A reauthentication changes what the resolver tells with the same token,
//     while a JWT keeps its own auth_time.
//   - Revoking a JWT at /oauth2/revoke answers 200 and does nothing.
//   - X-Authgear-Session-Amr is always there and always empty, and roles come
//     in no particular order.
package authgeartest
