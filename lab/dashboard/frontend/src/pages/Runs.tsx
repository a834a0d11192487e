import { PageHead } from "@/shell/PageHead";

export default function Runs() {
  return <PageHead title="Runs" />;
}
