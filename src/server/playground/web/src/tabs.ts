import { useEditorContext } from "@graphiql/react";
import { useCallback, useEffect, useRef } from "react";

type Field = "variables" | "headers";

/** Changes one editor in all tabs at once. */
export type EditTabs = (field: Field, change: (text: string) => string) => void;

/**
 * Gives [`EditTabs`]. GraphiQL can only write to the tab in front: its editor is set through CodeMirror, which also saves the tabs.
 * The others are plain records that are read when their tab comes to the front.
 */
export function useEditTabs(): EditTabs {
  const editor = useEditorContext({ nonNull: true });
  // The latest context without a new callback per key stroke.
  const latest = useRef(editor);
  useEffect(() => {
    latest.current = editor;
  });
  return useCallback((field, change) => {
    const { tabs, activeTabIndex, headerEditor, variableEditor } = latest.current;
    tabs.forEach((tab, index) => {
      if (index !== activeTabIndex) tab[field] = change(tab[field] ?? "");
    });
    const front = field === "headers" ? headerEditor : variableEditor;
    if (!front) return;
    const before = front.getValue();
    const after = change(before);
    if (after !== before) front.setValue(after);
  }, []);
}
