import { random } from "../random";
import acceptOffer from "./6-accept-offer.graphql?raw";
import announcements from "./8-announcements.graphql?raw";
import chat from "./7-chat.graphql?raw";
import deposit from "./3-deposit.graphql?raw";
import postJob from "./4-post-job.graphql?raw";
import sendOffer from "./5-send-offer.graphql?raw";
import signIn from "./2-sign-in.graphql?raw";
import signUp from "./1-sign-up.graphql?raw";

// Fresh for every first visit, so that the steps work on a server where someone else has tried them.
const run = random(4);
const customer = { email: `customer-${run}@example.com`, password: `Try-${random(8)}` };
const contractor = { email: `contractor-${run}@example.com`, password: `Try-${random(8)}` };
const usd = (amount: string) => ({ amount, currency: "USD" });
const key = (step: string) => `${step}-${run}`;

function tab(query: string, variables: object) {
  return { query, variables: JSON.stringify(variables, null, 2) };
}

/** The way of one job through the marketplace, a tab per step. */
export const flow = [
  tab(signUp, {
    customer: { ...customer, displayName: "Casey Customer", roles: ["CUSTOMER"] },
    contractor: { ...contractor, displayName: "Robin Contractor", roles: ["CONTRACTOR"] },
  }),
  tab(signIn, { input: customer }),
  tab(deposit, { input: { amount: usd("500.00"), idempotencyKey: key("deposit") } }),
  tab(postJob, {
    input: {
      title: "Paint the fence",
      description: "Twelve metres, both sides, dark green. Paint is here, brushes are not.",
      budget: usd("120.00"),
    },
  }),
  tab(sendOffer, {
    input: {
      jobId: "the id of the job",
      amount: usd("110.00"),
      message: "I can start on Monday and bring the brushes.",
      idempotencyKey: key("offer"),
    },
  }),
  tab(acceptOffer, { input: { offerId: "the id of the offer", idempotencyKey: key("accept") } }),
  tab(chat, {
    conversationId: "the id of the conversation",
    input: { conversationId: "the id of the conversation", content: "Hello, which gate do I take?", clientMessageId: key("message") },
  }),
  tab(announcements, { input: { title: "Maintenance", body: "Back at noon.", level: "INFO" } }),
];
