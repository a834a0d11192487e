import { PageHead } from "@/shell/PageHead";

export default function Run() {
  return <PageHead title="Run" />;
}
