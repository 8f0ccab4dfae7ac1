/** What the server tells the page about itself. */
export interface Config {
  /** A development profile: throw-away users are welcome. */
  dev: boolean;
  /** Path of GraphQL over HTTP. */
  endpoint: string;
  /** Path of GraphQL over WebSocket. */
  subscriptions: string;
}

const element = document.getElementById("gigwire-config");

export const config: Config = JSON.parse(element?.textContent ?? "{}");
