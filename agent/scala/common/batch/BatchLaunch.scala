package livius.agent

import java.io.File

import com.fasterxml.jackson.databind.JsonNode

/** The server's addresses and secret for the driver of a batch. */
final class BatchLaunch(val reports: Seq[String], val proof: Proof)

object BatchLaunch {

  /** None if the server expects no report. */
  def find(): Option[BatchLaunch] = document().map(from).filter(_.reports.nonEmpty)

  private def document(): Option[JsonNode] =
    Option(System.getProperty(LaunchDocument.Property)).map(path => LaunchDocument.read(new File(path)))
      .orElse(LaunchDocument.inEnvironment())

  private def from(root: JsonNode): BatchLaunch = new BatchLaunch(
    reports = Javas.list(root.path("reports")).map(_.asText),
    proof = LaunchDocument.proof(root))
}
