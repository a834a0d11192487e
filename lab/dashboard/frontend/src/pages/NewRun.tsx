import { PageHead } from "@/shell/PageHead";

export default function NewRun() {
  return <PageHead title="New run" />;
}
