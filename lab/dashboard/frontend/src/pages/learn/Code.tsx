import classes from "./Code.module.css";
import { excerpt } from "./excerpt";
import { SOURCES, type File } from "./sources";

interface Props {
  /** A class, a method or a function. */
  name: string;
  file?: File;
  open?: boolean;
}

/** A piece of the lab's code, as it was when this page was built. */
export function Code({ name, file = "lab/model.py", open = false }: Props) {
  const found = excerpt(SOURCES[file], name);
  if (!found) return null;
  const lines = found.text.split("\n");
  return (
    <details className={classes.details} open={open || undefined}>
      <summary>
        <code>{name}</code> in {file}, line {found.line}
      </summary>
      <pre className={classes.code} tabIndex={0} role="region" aria-label={`${name} in ${file}`}>
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
