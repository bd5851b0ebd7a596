// What Debian 12's node (18) lacks of what oidc-provider wants of node 22: crypto.hash, the global crypto, and URL.parse. Imported before it.
import * as crypto from "node:crypto";
import { register } from "node:module";

globalThis.crypto ??= crypto.webcrypto;
URL.parse ??= (url, base) => {
	try {
		return new URL(url, base);
	} catch {
		return null;
	}
};

// A name cannot be added to a module of node's own: another stands in its place.
const asModule = text => `data:text/javascript,${encodeURIComponent(text)}`;
const withHash = asModule(`export * from "node:crypto";
import { createHash } from "node:crypto";
export const hash = (name, data, encoding) => createHash(name).update(data).digest(encoding === "buffer" ? undefined : encoding);`);
if (!crypto.hash)
	register(asModule(`export const resolve = (name, context, next) => name === "node:crypto" && context.parentURL.includes("/oidc-provider/")
		? { url: ${JSON.stringify(withHash)}, shortCircuit: true } : next(name, context);`));
