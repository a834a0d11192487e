import { AppShell, Burger } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import { Link, Outlet, useLocation } from "react-router";
import { useAccess } from "@/live/hooks";
import { Connection } from "./Connection";
import { LeftOut } from "./LeftOut";
import { Locked } from "./Locked";
import { Navigation } from "./Navigation";
import { PageErrors } from "./PageErrors";
import { SchemeButton } from "./SchemeButton";
import classes from "./Shell.module.css";

/** The frame around every page: header, navigation, and the page itself. */
export function Shell() {
  const [opened, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const access = useAccess();
  useFocusOnNewPage(pathname);
  return (
    <AppShell
      header={{ height: 54 }}
      navbar={{ width: 208, breakpoint: "md", collapsed: { mobile: !opened } }}
      padding={{ base: "md", sm: "lg" }}
    >
      <AppShell.Header className={classes.header}>
        <a href="#main" className={classes.skip}>
          Skip to the page
        </a>
        <Burger
          opened={opened}
          onClick={toggle}
          hiddenFrom="md"
          size="sm"
          aria-label={opened ? "Close navigation" : "Open navigation"}
          aria-expanded={opened}
        />
        <Link to="/runs" className={classes.brand}>
          <img src="/favicon.svg" width="26" height="26" alt="" />
          gpt-lab
        </Link>
        <span className={classes.spacer} />
        <Connection />
        <SchemeButton />
      </AppShell.Header>
      <AppShell.Navbar p="xs">
        <Navigation onNavigate={close} />
      </AppShell.Navbar>
      <AppShell.Main id="main">
        <div className={classes.main}>
          {access !== "right" && <Locked access={access} />}
          {/* It stays where it is, out of sight: what was typed there is not lost. */}
          <div hidden={access !== "right"}>
            <LeftOut />
            <PageErrors key={pathname}>
              <Outlet />
            </PageErrors>
          </div>
        </div>
      </AppShell.Main>
    </AppShell>
  );
}

/** After a change of page a screen reader should begin at the new page's heading, not where the old link was. */
function useFocusOnNewPage(pathname: string) {
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    window.scrollTo(0, 0);
    document.getElementById("page-title")?.focus();
  }, [pathname]);
}
