// The linters of schemas: each answers `{ name, rules, off, findings }`.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';

import { version } from '../report.mjs';
import config from './eslint.config.mjs';

const linter = createRequire(import.meta.url)('graphql-schema-linter');

/** graphql-eslint, as eslint.config.mjs beside this says. */
export async function eslint(schema) {
  const [settings] = config;
  const parserOptions = { graphQLConfig: { schema } };
  const own = { ...settings, languageOptions: { ...settings.languageOptions, parserOptions } };
  const runner = new ESLint({ cwd: dirname(schema), overrideConfigFile: true, overrideConfig: [own] });
  const results = await runner.lintFiles([schema]);
  const { rules } = await runner.calculateConfigForFile(schema);
  const on = Object.values(rules).filter(([severity]) => severity === 2).length;
  return {
    name: `graphql-eslint ${version('@graphql-eslint/eslint-plugin')}`,
    rules: on,
    off: Object.keys(rules).length - on,
    findings: results.flatMap(({ messages }) => messages.map(({ line, ruleId, message }) => `${line}: ${ruleId}: ${message}`)),
  };
}

/** graphql-schema-linter with all of its rules, as they are. */
export async function schemaLinter(schema) {
  const configuration = new linter.configuration.Configuration({ definition: await readFile(schema, 'utf8'), sourceMap: null });
  const rules = configuration.getAllRules();
  const findings = linter.validator.validateSchemaDefinition(configuration.schema, rules, configuration);
  return {
    name: `graphql-schema-linter ${version('graphql-schema-linter')}`,
    rules: rules.length,
    off: 0,
    findings: findings.map(({ ruleName, message }) => `${ruleName}: ${message}`),
  };
}
