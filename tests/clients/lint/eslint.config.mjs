import graphql from '@graphql-eslint/eslint-plugin';
const rules = graphql.configs;
export default [{
  files: ['**/*.graphql'],
  languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: new URL('../../../schema.graphql', import.meta.url).pathname } } },
  plugins: { '@graphql-eslint': graphql },
  rules: { ...rules['flat/schema-all'].rules, ...rules['flat/schema-recommended'].rules, ...rules['flat/schema-relay'].rules },
}];
