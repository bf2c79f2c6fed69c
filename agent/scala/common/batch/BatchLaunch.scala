package livius.agent

import java.io.File

import com.fasterxml.jackson.databind.JsonNode

/** The server's addresses and secret for the driver of a batch. */
final case class BatchLaunch(driver: String, reports: Seq[String], token: String) {

  /** The secret must not reach a log by way of a careless string interpolation. */
  override def toString: String = s"BatchLaunch($driver)"
}

object BatchLaunch {

  /** None if the server expects no report. */
  def find(): Option[BatchLaunch] = document().map(from).filter(_.reports.nonEmpty)

  private def document(): Option[JsonNode] =
    Option(System.getProperty(LaunchDocument.Property)).map(path => LaunchDocument.read(new File(path)))
      .orElse(LaunchDocument.inEnvironment())

  private def from(root: JsonNode): BatchLaunch = BatchLaunch(
    driver = LaunchDocument.required(root, "driver").asText,
    reports = Javas.list(root.path("reports")).map(_.asText),
    token = LaunchDocument.required(root, "token").asText)
}
