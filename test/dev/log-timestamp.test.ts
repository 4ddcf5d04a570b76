/** Timestamps of the authority beside the development log, as `openssl ts` asks for and reads them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseTimestamp } from '../../src/evidence/timestamp-token.ts';
import { askForTime, devLog, newFolder, openssl, timestampQuery } from './log-world.ts';

describe('a timestamp', () => {
  it.each([[['-cert']], [['-cert', '-no_nonce']], [[]]])(
    'for a query of openssl (%s) verifies with openssl',
    async (flags) => {
      const log = await devLog();
      const folder = newFolder();
      const [chain] = (
        JSON.parse(log.trustRoot) as {
          timestampAuthorities: [{ certChain: { certificates: { rawBytes: string }[] } }];
        }
      ).timestampAuthorities;
      const [leaf = '', root = ''] = chain.certChain.certificates.map(({ rawBytes }) =>
        pemOf(rawBytes),
      );
      const at = (name: string, text: string | Uint8Array): string => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const query = timestampQuery('some bytes', ...flags);
      const response = await askForTime(log, query);
      expect(response.headers.get('content-type')).toBe('application/timestamp-reply');
      const reply = at('reply', new Uint8Array(await response.arrayBuffer()));
      const asked = ['-verify', '-in', reply, '-queryfile', at('query', query)];
      const pinned = ['-CAfile', at('root.pem', root), '-untrusted', at('leaf.pem', leaf)];
      const said = openssl('ts', ...asked, ...pinned);
      expect(said).toContain('Verification: OK');
      expect(
        openssl('verify', '-CAfile', join(folder, 'root.pem'), join(folder, 'leaf.pem')),
      ).toContain('OK');
    },
  );

  it('repeats the nonce that it was given', async () => {
    const log = await devLog();
    const ask = async (): Promise<boolean> => {
      const query = timestampQuery('some bytes');
      const reply = new Uint8Array(await (await askForTime(log, query)).arrayBuffer());
      const nonce = Buffer.from(parseTimestamp(reply)?.nonce ?? []);
      return nonce.length > 4 && Buffer.from(query).includes(nonce);
    };
    expect(await ask()).toBe(true);
    log.fault('timestamp-wrong-nonce');
    expect(await ask()).toBe(false);
  });

  it.each([
    ['another hash', ['-sha512'], 'unrecognized or unsupported algorithm'],
    ['a policy that it does not have', ['-tspolicy', '1.2.3.4'], 'policy is not supported'],
  ])('is refused for %s', async (_what, flags, words) => {
    const log = await devLog();
    const reply = await askForTime(log, timestampQuery('some bytes', ...flags));
    const path = join(newFolder(), 'reply');
    writeFileSync(path, new Uint8Array(await reply.arrayBuffer()));
    expect(openssl('ts', '-reply', '-in', path, '-text').replaceAll(/\s+/g, ' ')).toContain(words);
  });

  it('is refused under a fault, in the words of the protocol or of HTTP', async () => {
    const log = await devLog({ fault: 'timestamp-refused' });
    const query = timestampQuery('some bytes');
    const reply = new Uint8Array(await (await askForTime(log, query)).arrayBuffer());
    expect(parseTimestamp(reply)).toBeUndefined();
    log.fault('timestamp-server-error');
    expect((await askForTime(log, query)).status).toBe(500);
  });

  it('needs a query', async () => {
    const log = await devLog();
    expect((await askForTime(log, Buffer.from('now, please'))).status).toBe(400);
  });
});

function pemOf(base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
