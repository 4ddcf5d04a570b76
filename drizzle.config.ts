/**
 * For `drizzle-kit studio` and `drizzle-kit check` only. Never `generate` or `push`: they rebuild tables,
 * and drop the triggers that keep the ledger append-only. src/store/libsql/migrations.ts makes the tables,
 * and test/store/schema.test.ts compares them with the schema here.
 *
 *   CRUMB_LEDGER=file:crumb.db npx drizzle-kit studio
 */
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'turso',
  schema: './src/store/libsql/schema.ts',
  out: './node_modules/.cache/drizzle', // `check` wants a place for generated migrations; there are none
  dbCredentials: { url: process.env['CRUMB_LEDGER'] ?? 'file:crumb.db' },
});
