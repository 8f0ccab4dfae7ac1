// All rules of graphql-eslint for schemas: recommended, for Relay, and the rest. What is off or adapted says why.

import graphql from '@graphql-eslint/eslint-plugin';

const { 'flat/schema-all': all, 'flat/schema-recommended': recommended, 'flat/schema-relay': relay } = graphql.configs;
const rule = (name, ...setting) => [`@graphql-eslint/${name}`, setting.length ? setting : 'off'];

/** Values: they are parts of other objects and nothing to be fetched or cached by themselves. */
const VALUES = [
  ...['EventActor', 'FeeQuote', 'Money', 'PageInfo', 'PaymentStep', 'RatingSummary', 'SessionTokens', 'UploadHeader'],
  ...['DisputeProposal', 'DisputeSplit', 'MoneyEffect', 'OfferSummary', 'Transition', 'TransitionPreview', 'WalletPreview'],
  ...['StatementLine', 'WalletBalance', 'WalletExplanation', 'WalletMovement', 'WalletReserve', 'WalletStatement'],
  ...['LedgerChain', 'LedgerCheck', 'LedgerHolds', 'LedgerProof', 'LedgerSums', 'PayoutFreeze'],
  ...['DisputeEvidence', 'Period', 'Presence', 'UserBlock'],
];
/** One for the viewer, or one for each currency: the recipes for caches say so. */
const SINGLE = ['Viewer', 'Wallet'];

const adapted = Object.fromEntries([
  // More than the rule asks for by itself: fields, arguments and values of enums are described as well.
  rule('require-description', 'error', {
    types: true,
    rootField: true,
    DirectiveDefinition: true,
    EnumValueDefinition: true,
    FieldDefinition: true,
    InputValueDefinition: true,
  }),
  rule('strict-id-in-types', 'error', {
    exceptions: { types: [...VALUES, ...SINGLE], suffixes: ['Connection', 'Edge', 'Error', 'Payload'] },
  }),
  // Lists that cannot grow are plain lists, such as the errors of a payload; connections also have `nodes`. Entries are
  // Nodes, except lines of a history: they never change, and nobody fetches one. The Rust test of the schema knows them.
  rule('relay-edge-types', 'error', { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false }),
  // A list that is only read forwards takes `first` and `after`, as Relay allows.
  rule('relay-arguments', 'error', { includeBoth: false }),
  // The printed file is sorted byte by byte, capitals before small letters. The rule compares as people do, where the
  // order is another: `offers` before `offerSummary`.
  rule('alphabetize'),
  // It forbids whichever root type is named to it, for APIs that only read. This one has all three.
  rule('no-root-type'),
  // Payloads hold the objects that changed: clients select what they need of those, not the whole graph.
  rule('require-field-of-type-query-in-mutation-result'),
  // Single objects are nullable at the root; connections and quotes are always there, as in all of the schema.
  rule('require-nullable-result-in-root'),
]);

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: graphql.parser },
    plugins: { '@graphql-eslint': graphql },
    rules: { ...all.rules, ...recommended.rules, ...relay.rules, ...adapted },
  },
];
