import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Brand } from "./brand";
import { fill, idsIn } from "./carry";
import { withToken } from "./demo";
import { createFetcher, type Result } from "./fetcher";
import { flow } from "./flow";
import { storage } from "./storage";
import "./style.css";
import { useEditTabs } from "./tabs";

/** Told of every answer; set once the tabs exist. */
let onResult: (result: Result) => void = () => {};

const fetcher = createFetcher((result) => onResult(result));

/** Sits inside GraphiQL, where the tabs can be reached. */
function Bar({ setNewTabHeaders }: { setNewTabHeaders(headers: string): void }) {
  const editTabs = useEditTabs();
  useEffect(() => {
    onResult = (result) => {
      const ids = idsIn(result);
      if (Object.keys(ids).length > 0) editTabs("variables", (variables) => fill(variables, ids));
    };
  }, [editTabs]);
  const takeToken = (token: string) => {
    editTabs("headers", (headers) => withToken(headers, token));
    setNewTabHeaders(withToken("", token));
  };
  return <Brand takeToken={takeToken} />;
}

// GraphiQL shows the document of the first ready-made tab but forgets its variables, unless they are given once more.
const isFirstVisit = localStorage.getItem("graphiql:tabState") === null;

function Playground() {
  const [newTabHeaders, setNewTabHeaders] = useState<string>();
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      defaultTabs={flow}
      variables={isFirstVisit ? flow[0].variables : undefined}
      defaultHeaders={newTabHeaders}
      defaultQuery={"# A tab of your own.\n"}
      defaultEditorToolsVisibility
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>
        <Bar setNewTabHeaders={setNewTabHeaders} />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Playground />
    </StrictMode>,
  );
}
