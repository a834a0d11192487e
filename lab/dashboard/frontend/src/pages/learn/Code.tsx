import source from "../../../../../model.py?raw";
import classes from "./Code.module.css";
import { excerpt } from "./excerpt";

/** A piece of lab/model.py, as it was when this page was built. */
export function Code({ name }: { name: string }) {
  const found = excerpt(source, name);
  if (!found) return null;
  const lines = found.text.split("\n");
  return (
    <details className={classes.details}>
      <summary>
        <code>{name}</code> in lab/model.py, line {found.line}
      </summary>
      <pre className={classes.code} tabIndex={0} role="region" aria-label={`${name} in lab/model.py`}>
        {lines.map((line, at) => {
          const comment = line.indexOf("# ");
          return (
            <span key={at} className={classes.line} data-line={found.line + at}>
              {comment < 0 ? line : line.slice(0, comment)}
              {comment >= 0 && <span className={classes.comment}>{line.slice(comment)}</span>}
              {"\n"}
            </span>
          );
        })}
      </pre>
    </details>
  );
}
