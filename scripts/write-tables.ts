/** Writes the tables of docs anew: `npm run tables`. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { placesIn, withTables } from './document-tables.ts';

for (const path of globSync('docs/**/*.md')) {
  const text = readFileSync(path, 'utf8');
  const names = placesIn(text);
  if (names.length === 0) continue;
  writeFileSync(path, withTables(text));
  console.log(`${path}: ${names.join(', ')}`);
}
