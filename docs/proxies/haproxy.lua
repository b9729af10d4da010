-- Asks Authgear's resolver who sent a request, for haproxy.cfg.

-- The resolver's whole list. The client's headers are dropped in haproxy.cfg.
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

-- One credential, never two: beside a token that is not valid the resolver would
-- answer with the cookie's user, who may be another person. The Authorization
-- header if its scheme is Bearer, else the session cookie alone, of all cookies,
-- if its value is one that Authgear reads at all (RFC 6265 section 4.1.1), else
-- nothing: an empty session cookie would be an invalid credential.
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
    -- Nothing else of the client is sent on. Alone, a token that is refused is
    -- answered like nobody's, and so is any when the resolver's database fails.
    -- Beside this cookie, which is never valid, a refusal is told. It is nobody's,
    -- so that it is no second credential, and not the client's to clear.
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
    -- No answer about a credential is another thing than no credential.
    if kind then
        txn.http:req_set_header("x-authgear-credential", kind)
    end
    if kind == "cookie" and answer.headers["set-cookie"] then
        txn:set_var("txn.authgear_set_cookie", answer.headers["set-cookie"][0])
    end
    txn:set_var("txn.authgear_answered", true)
end, 0)
