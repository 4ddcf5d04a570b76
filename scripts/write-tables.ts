/** Writes into the documents what they repeat of the code: `npm run tables`. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { withRepeated } from './document-tables.ts';

for (const path of globSync(['*.md', 'docs/**/*.md'])) {
  const text = readFileSync(path, 'utf8');
  try {
    const now = withRepeated(text);
    if (now === text) continue;
    writeFileSync(path, now);
    console.log(`wrote ${path}`);
  } catch (error) {
    console.error(`${path}: ${error instanceof Error ? error.message : 'unknown'}`);
    process.exitCode = 1;
  }
}
