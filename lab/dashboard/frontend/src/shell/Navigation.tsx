import { NavLink } from "react-router";
import { PAGES } from "./pages";
import classes from "./Shell.module.css";

const GROUPS = ["Train", "Look inside"] as const;

/** Links to all pages; on a narrow screen, choosing one closes the drawer. */
export function Navigation({ onNavigate }: { onNavigate: () => void }) {
  return (
    <nav aria-label="Pages">
      {GROUPS.map((group) => (
        <div key={group} role="group" aria-label={group}>
          <div className={classes.group} aria-hidden>
            {group}
          </div>
          {PAGES.filter((page) => page.group === group).map(({ path, title, icon: Icon }) => (
            <NavLink key={path} to={path} className={classes.link} onClick={onNavigate}>
              <Icon size={18} stroke={1.7} aria-hidden />
              {title}
            </NavLink>
          ))}
        </div>
      ))}
    </nav>
  );
}
