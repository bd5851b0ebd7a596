// npm's certified oidc-provider, as an installation would run it: people log in with a form, and it ends sessions both ways.
//
//	node provider.mjs CONFIG.json
//
// CONFIG: {"port", "address" (127.0.0.1), "issuer" (https://address:port), "certificate", "key" (PEM files; without: http),
//   "client" (weir), "secret", "redirect_uris": [...], "post_logout_redirect_uris": [...], "backchannel_logout_uri",
//   "alg" (RS256), "auth" (client_secret_basic), "accounts": {login: {claims}}}
//
// Prints "ready" once it serves, then a line for each login, logout and error. Whoever has an account logs in with any password.
// Authorities that it should trust when it sends logout tokens come by NODE_EXTRA_CA_CERTS.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { generateKeyPairSync } from "node:crypto";
import "./old_node.mjs";

const { default: Provider } = await import("oidc-provider");

const config = { address: "127.0.0.1", client: "weir", alg: "RS256", auth: "client_secret_basic", accounts: {}, ...JSON.parse(readFileSync(process.argv[2], "utf8")) };
const secure = config.certificate !== undefined;
const issuer = config.issuer ?? `${secure ? "https" : "http"}://${config.address}:${config.port}`;

const pair = config.alg.startsWith("ES") ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...pair.privateKey.export({ format: "jwk" }), kid: "first", use: "sig", alg: config.alg };

const provider = new Provider(issuer, {
	clients: [{
		client_id: config.client,
		client_secret: config.secret,
		token_endpoint_auth_method: config.auth,
		id_token_signed_response_alg: config.alg,
		grant_types: ["authorization_code"],
		response_types: ["code"],
		redirect_uris: config.redirect_uris,
		post_logout_redirect_uris: config.post_logout_redirect_uris ?? [],
		...(config.backchannel_logout_uri ? { backchannel_logout_uri: config.backchannel_logout_uri, backchannel_logout_session_required: true } : {}),
	}],
	jwks: { keys: [key] },
	claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"], groups: ["groups"] },
	scopes: ["openid", "profile", "email", "groups"],
	conformIdTokenClaims: false,
	pkce: { required: () => true },
	// It reaches no address of this machine by itself, which is where Weir is.
	fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
	cookies: { keys: ["a test's"] },
	features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
	findAccount: (_ctx, id) => config.accounts[id] && { accountId: id, claims: () => ({ sub: id, preferred_username: id, ...config.accounts[id] }) },
	// Nobody is asked whether Weir may know what it asks for.
	async loadExistingGrant(ctx) {
		const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
		grant.addOIDCScope("openid profile email groups");
		await grant.save();
		return grant;
	},
});
const say = (...words) => console.log(words.join(" "));
provider.on("authorization.success", ctx => say("login", ctx.oidc.session.accountId));
provider.on("end_session.success", () => say("logout"));
provider.on("backchannel.success", (_ctx, _client, account) => say("backchannel", account));
for (const what of ["server_error", "grant.error", "authorization.error", "end_session.error", "backchannel.error"])
	provider.on(what, (_ctx, error) => say("error", what, error.message, error.error_detail ?? "", error.cause ?? ""));

const server = secure ? https.createServer({ cert: readFileSync(config.certificate), key: readFileSync(config.key) }, provider.callback())
	: http.createServer(provider.callback());
server.listen(config.port, config.address, () => say("ready"));
