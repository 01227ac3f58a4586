// A real OpenID provider for tests (oidc-provider). It prints its issuer once it listens; a sign-in needs no password.
import { Provider } from "oidc-provider";
import { createServer } from "node:http";

const [clientId, clientSecret, redirectUri] = process.argv.slice(2);
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["given_name", "family_name"] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true, given_name: "Ada", family_name: "Lovelace" }),
    }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
