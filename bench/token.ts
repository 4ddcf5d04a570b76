/**
 * exchange.ts as a part of the whole.
 *
 * @module
 */
import type { Bench } from './bench.ts';
import { benchExchange } from './exchange.ts';

export const benchTokens: Bench = async ({ effort }) => {
  const { algorithm, results, ratios } = await benchExchange(effort.rounds * 15);
  const [bare] = results;
  return [
    {
      name: 'exchange',
      title: `One delegation token, ${algorithm}, provider on loopback`,
      rows: results.map(({ name, medianUs, p10Us, p90Us }) => {
        const ratio = ratios[name] ?? Number.NaN;
        return {
          name,
          unit: 'us',
          value: { median: medianUs, p10: p10Us, p90: p90Us },
          ...(bare === undefined || name === bare.name
            ? {}
            : { over: { name: bare.name, ratio: { median: ratio, p10: ratio, p90: ratio } } }),
        };
      }),
      goals: [],
    },
  ];
};
