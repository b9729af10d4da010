// Package authgeartest is a small Authgear for development and tests: a real
// HTTP server on a loopback address that answers as Authgear was observed to
// answer, with users, credentials and levers under the control of the program
// that started it. It is not for production: everybody who can call it is told
// what they ask, and can sign in as anybody. Nothing outlives the process,
// except what [Config].Seed restores. Command authgear-dev is the same server
// by itself.
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
// # Signing in
//
// Apps sign in here as in a real project, the web SDK too: by a page that lists
// the users. A click on a user is enough. A program "clicks" by a POST:
//
//	curl -si -d user=alice 'http://127.0.0.1:PORT/oauth2/authorize?client_id=spa&
//	redirect_uri=http://localhost:3000/&response_type=code&scope=openid+offline_access&
//	code_challenge=…&code_challenge_method=S256'
//
// [Config].Clients are the clients that may sign users in.
// [Config].AllowedOrigins are the origins whose scripts may call. Without them
// every client of this machine may, and each client ID is a machine too.
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
//	/oauth2/authorize: code with PKCE (S256), or response_type=none for cookies
//	/oauth2/token: authorization_code, refresh_token, client_credentials, and
//	  urn:authgear:params:oauth:grant-type:id-token
//	/oauth2/userinfo
//	/oauth2/revoke
//	/oauth2/end_session, /logout
//	/oauth2/app_session_token
//	/api/anonymous_user/signup, /api/anonymous_user/promotion_code
//	/_resolver/resolve, /resolve
//
// This package's tests compare the answers with recordings of a real Authgear,
// as far as there are any. Only the page to sign in on, and the page of
// /logout, are this package's own. Methods mint credentials too, and, for a
// shell, so do paths that no real Authgear has:
//
//	curl -H "Authorization: Bearer $(curl -s http://127.0.0.1:PORT/token/alice)" …
//
// These paths answer GET with plain text, and only if the request's host is
// this server's own:
//
//   - /token/{user}: a new JWT access token of the user with that ID;
//     ?client_id=, ?expires_in= and ?login_age= (seconds since the login) change
//     it as [Token] does. 403 for a user who may not sign in.
//   - /reauthenticate, with "Authorization: Bearer TOKEN" or the session cookie:
//     what [Server.Reauthenticate] returns. 401 without a live session, 403 for
//     a user who cannot reauthenticate.
//   - /client-token/{client}?resource=URI&scope=a+b: a token as by
//     [Server.ClientToken], of any client.
//
// The following paths answer POST. They refuse a page of another origin:
//
//   - /disable/{user} and /enable/{user}: [Server.DisableUser] and
//     [Server.EnableUser]. 404 without such a user.
//   - /sign-out, with "Authorization: Bearer TOKEN" or the session cookie:
//     [Server.RevokeSession]. 401 without a live session.
//
// # Oddities worth knowing
//
// Authgear has them, so this package has them too:
//
//   - The resolver answers an invalid Bearer token as if nothing had been sent,
//     an invalid session cookie with "X-Authgear-Session-Valid: false".
//   - A token wins over a cookie, but beside an invalid token the cookie counts.
//     So with the cookie "session=~", which is nobody's, the refusal of a token
//     is told too.
//   - A JWT counts only if its audience is the origin of the very request: a
//     call through another address needs the endpoint's Host and
//     X-Forwarded-Proto.
//   - A reauthentication changes what the resolver tells with the same token,
//     while a JWT keeps its own auth_time.
//   - A wrong client secret is answered 400 invalid_request. A refresh does not
//     change the refresh token, and the new tokens have no amr.
//   - Revoking a JWT at /oauth2/revoke answers 200 and does nothing.
//   - X-Authgear-Session-Amr is always there and always empty, and roles come
//     in no particular order.
package authgeartest
