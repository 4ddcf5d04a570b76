/**
 * `crumb dev login`: a token of a person at the development identity provider, without a browser.
 *
 * @module
 */
import { CrumbError } from '../../errors.ts';
import { usage } from '../arguments.ts';
import { defineCommand, EXIT } from '../command.ts';
import { CONFIG_OPTION, keyObjectOf, loadConfig } from '../config.ts';
import { publicJwk } from '../keys.ts';
import { createPublicKey } from 'node:crypto';
import { REDIRECT_URIS } from './dev-idp.ts';
import { DEV_ISSUER } from './init-texts.ts';

export const devLogin = defineCommand({
  name: 'dev login',
  summary: 'log a person in at `crumb dev idp` and print the token',
  about: [
    'Goes through login and consent as a browser would, and prints the access token alone, so that it fits into a command line. It works with the development identity provider only: nobody else lets a person in without a password.',
    'What the person authorizes is given as directives, objects of type crumb_tool_call (RFC 9396), or else as scopes.',
  ],
  operands: [],
  options: {
    config: CONFIG_OPTION,
    person: { kind: 'text', value: 'NAME', help: 'who logs in', default: 'alice' },
    scope: { kind: 'text', value: 'SCOPES', help: 'what is asked for', default: 'openid' },
    directive: { kind: 'list', value: 'JSON', help: 'what the person authorizes exactly' },
    issuer: { kind: 'text', value: 'URL', help: 'default: the configuration, else the usual port' },
    'redirect-uri': {
      kind: 'text',
      value: 'URI',
      help: 'as `crumb dev idp` was told',
      default: REDIRECT_URIS[0] ?? '',
    },
  },
  examples: [
    {
      line: "crumb dev login --person alice --scope 'openid read_record'",
      shows: 'a token that authorizes an action with any arguments',
    },
    {
      line: `crumb dev login --directive '{"type":"crumb_tool_call","actions":["read_record"],"locations":["http://127.0.0.1:4281"],"arguments":{"id":{"const":42}}}'`,
      shows: 'a token that authorizes one record alone',
    },
  ],
  async run({ options }, terminal) {
    const config = await loadConfig(terminal, options.config);
    const client = config?.issuer.client;
    const { login } = await import('../../dev/login.ts');
    const result = await login({
      issuer: options.issuer ?? config?.issuer.url ?? DEV_ISSUER,
      clientId: client?.id ?? 'app',
      redirectUri: options['redirect-uri'],
      person: options.person,
      scope: options.scope,
      ...(options.directive.length === 0 ? {} : { directives: options.directive.map(directiveOf) }),
      ...(client === undefined ? {} : { key: privateJwk(keyObjectOf(client.key)) }),
    });
    const { accessToken, expiresIn, scope } = result;
    terminal.print({ facts: { accessToken, expiresIn, scope }, text: () => [accessToken] });
    return EXIT.ok;
  },
});

function privateJwk(key: ReturnType<typeof keyObjectOf>): Record<string, unknown> {
  const { kid, alg } = publicJwk(createPublicKey(key));
  return { ...key.export({ format: 'jwk' }), kid, alg };
}

function directiveOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch (cause) {
    throw new CrumbError('usage_invalid', { cause, names: ['--directive is not JSON'] });
  }
  throw usage('--directive is a JSON object');
}
