import { PageHead } from "@/shell/PageHead";

export default function Learn() {
  return <PageHead title="Learn" />;
}
