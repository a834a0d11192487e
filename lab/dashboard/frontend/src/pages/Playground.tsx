import { PageHead } from "@/shell/PageHead";

export default function Playground() {
  return <PageHead title="Playground" />;
}
