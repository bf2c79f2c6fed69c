package livius.agent

import java.io.{File, FileInputStream, InputStreamReader}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Path, Paths}
import java.util.Properties

import com.fasterxml.jackson.databind.JsonNode

/** The driver that the server wants to submit to a standalone cluster. */
final case class SubmitOrder(
    /** The tag that identifies the cluster's driver. */
    tag: String,
    master: String,
    properties: File,
    command: Seq[String],
    environment: Map[String, String],
    verdict: Path) {

  /** The tag on the command line of the cluster's driver: spark-submit passes all of Spark's
    * properties that way.
    */
  def mark: String = s"-D${SubmitOrder.TagKey}=$tag"

  def readProperties(): Map[String, String] = {
    val read = new Properties
    val in = new InputStreamReader(new FileInputStream(properties), UTF_8)
    try read.load(in) finally in.close()
    Javas.list(read.stringPropertyNames).map(key => key -> read.getProperty(key).trim).toMap
  }
}

object SubmitOrder {
  private val TagKey = "spark.livius.driver"

  def read(file: File): SubmitOrder = {
    val root = LaunchDocument.read(file)
    def text(key: String): String = LaunchDocument.required(root, key).asText
    SubmitOrder(
      tag = text("tag"),
      master = text("master"),
      properties = new File(text("properties")),
      command = Javas.list(LaunchDocument.required(root, "submit")).map(_.asText),
      environment = texts(root.path("environment")),
      verdict = Paths.get(text("verdict")))
  }

  private def texts(node: JsonNode): Map[String, String] =
    Javas.list(node.fieldNames).map(key => key -> node.path(key).asText).toMap
}
