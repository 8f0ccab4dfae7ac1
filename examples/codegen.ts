// The types of the operations, and what the caches must know of the schema: `graphql-codegen` writes it to generated/.

import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../schema.graphql',
  documents: 'operations.graphql',
  generates: {
    'generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        // Scalars travel as texts. One that is not named here is an error.
        strictScalars: true,
        scalars: {
          BigInt: 'string',
          CurrencyCode: 'string',
          Date: 'string',
          DateTime: 'string',
          Decimal: 'string',
          EmailAddress: 'string',
          JSON: 'unknown',
          PhoneNumber: 'string',
          TimeZone: 'string',
          URL: 'string',
        },
      },
    },
    'generated/possible-types.ts': { plugins: ['fragment-matcher'] },
    'generated/introspection.json': { plugins: ['introspection'], config: { minify: true } },
  },
};

export default config;
