package livius.agent

import java.time.{Instant, LocalDateTime, LocalTime}
import java.time.format.DateTimeFormatter
import java.util.Base64

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.sql.Row
import org.apache.spark.sql.catalyst.util.DateTimeUtils

/** The values of a SQL result as JSON, exactly: every digit, every fraction of a second, every
  * level of nesting.
  */
final class SqlJson(timeZone: String) {

  // Spark accepts short forms such as "+1:00" that java.time does not.
  private val zone = DateTimeUtils.getZoneId(timeZone)

  def row(row: Row): JsonNode = Json.arr(row.toSeq.map(value))

  private def value(any: Any): JsonNode = any match {
    case null => Json.nodes.nullNode()
    case v: Boolean => Json.nodes.booleanNode(v)
    case v: Byte => Json.nodes.numberNode(v.toInt)
    case v: Short => Json.nodes.numberNode(v.toInt)
    case v: Int => Json.nodes.numberNode(v)
    case v: Long => Json.nodes.numberNode(v)
    case v: Float => Json.number(v)
    case v: Double => Json.number(v)
    case v: java.math.BigDecimal => Json.nodes.numberNode(v)
    case v: BigDecimal => Json.nodes.numberNode(v.bigDecimal)
    case v: String => Json.text(v)
    case v: Array[Byte] => Json.text(Base64.getEncoder.encodeToString(v))
    case other => composed(other).getOrElse(Json.text(temporal(other).getOrElse(other.toString)))
  }

  private def composed(any: Any): Option[JsonNode] = any match {
    case struct: Row => Some(fields(struct))
    case map: scala.collection.Map[_, _] => Some(entries(map))
    case items: scala.collection.Seq[_] => Some(Json.arr(items.map(value)))
    case items: Array[_] => Some(Json.arr(items.toSeq.map(value)))
    case _ => None
  }

  private def fields(struct: Row): JsonNode =
    if (struct.schema == null) row(struct)
    else Json.fields(struct.schema.fieldNames.toSeq.zip(struct.toSeq.map(value)))

  private def entries(map: scala.collection.Map[_, _]): JsonNode =
    Json.fields(map.toSeq.map { case (key, item) =>
      val name = value(key)
      (if (name.isValueNode) name.asText else Json.write(name)) -> value(item)
    })

  private def temporal(any: Any): Option[String] = any match {
    // Spark has made texts of its dates already, and uses java.time for its times.
    case v: Instant => Some(instant(v))
    case v: LocalDateTime => Some(DateTimeFormatter.ISO_LOCAL_DATE_TIME.format(v))
    case v: LocalTime => Some(DateTimeFormatter.ISO_LOCAL_TIME.format(v))
    case _ => None
  }

  private def instant(at: Instant): String = DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(at.atZone(zone))
}
