-- Asks Authgear's resolver who sent a request, for haproxy.cfg.

-- All identity headers of the resolver's answer. The client's headers are dropped
-- in haproxy.cfg.
local identity_headers = {
    "x-authgear-session-valid",
    "x-authgear-session-authenticated-at",
    "x-authgear-session-amr",
    "x-authgear-user-id",
    "x-authgear-user-anonymous",
    "x-authgear-user-verified",
    "x-authgear-user-can-reauthenticate",
    "x-authgear-user-roles",
}

-- One credential, never two. Given an invalid token and a cookie, the resolver
-- would answer with the cookie's user, who may be another person. The credential
-- is the Authorization header, if its scheme is Bearer; else the session cookie,
-- without the other cookies, if RFC 6265 section 4.1.1 allows its value (Authgear
-- reads no other); else nothing: an empty session cookie would be an invalid
-- credential.
local function credential(headers)
    local authorization = headers["authorization"]
    for i = 0, authorization and #authorization or -1 do
        if (authorization[i]:lower() .. " "):match("^bearer[^%w_]") then
            return "token", authorization[i]
        end
    end
    local cookies = headers["cookie"]
    for i = 0, cookies and #cookies or -1 do
        for pair in cookies[i]:gmatch("[^;]+") do
            local session = pair:match("^%s*(session=.-)%s*$")
            if session and not session:find("[^!#-~]") and not session:find("[,\\]") then
                return "cookie", session
            end
        end
    end
end

core.register_action("authgear", { "http-req" }, function(txn)
    -- Nothing else of the client is sent on. Without this cookie, the answer
    -- to a refused token is empty, and so is the answer to any token when the
    -- resolver's database fails. With this cookie, which is never valid, a
    -- refusal is explicit. The cookie is nobody's, so it is no second credential,
    -- and the client must not be told to clear it.
    local sent = {}
    local kind, value = credential(txn.http:req_get_headers())
    if kind == "token" then
        sent = { authorization = { value }, cookie = { "session=~" } }
    elseif kind == "cookie" then
        sent = { cookie = { value } }
    end

    -- To "listen authgear" in haproxy.cfg, which knows the project.
    local answer = core.httpclient():get({
        url = "http://authgear/_resolver/resolve",
        dst = "abns@authgear",
        headers = sent,
    })
    if not answer or answer.status ~= 200 then
        return
    end
    for _, header in ipairs(identity_headers) do
        local values = answer.headers[header]
        for i = 0, values and #values or -1 do
            txn.http:req_add_header(header, values[i])
        end
    end
    -- A credential that the resolver says nothing about is not the same as no
    -- credential.
    if kind then
        txn.http:req_set_header("x-authgear-credential", kind)
    end
    if kind == "cookie" and answer.headers["set-cookie"] then
        txn:set_var("txn.authgear_set_cookie", answer.headers["set-cookie"][0])
    end
    txn:set_var("txn.authgear_answered", true)
end, 0)
