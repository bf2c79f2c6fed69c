package livius.agent

import scala.collection.immutable.TreeMap

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.{JsonNodeType, ObjectNode}

/** A value as Livy's table: `{"headers": [{"name", "type"}], "data": [[…]]}`, the columns sorted by
  * name.
  */
object TableMagic {

  val Mime = "application/vnd.livy.table.v1+json"

  final class TypesDoNotMatch extends Exception("table rows have different types")

  def of(value: JsonNode): JsonNode = {
    val rows = (if (value.isArray) Javas.list(value.elements) else List(value)).map(columns)
    val types = rows.foldLeft(TreeMap.empty[String, String])(merge)
    val table = Json.obj()
    val headers = table.putArray("headers")
    types.foreach { case (name, kind) => headers.add(Json.obj().put("name", name).put("type", kind)) }
    table.replace("data", Json.arr(rows.map { row =>
      Json.arr(types.map { case (name, kind) => cell(kind, row.getOrElse(name, Json.nodes.nullNode())) })
    }))
    table
  }

  /** An integer among fractions, unless a double would lose digits of it. */
  private def cell(kind: String, value: JsonNode): JsonNode =
    if (kind == Double && value.isIntegralNumber && value.canConvertToLong && math.abs(value.asLong) <= MostExact)
      Json.number(value.asDouble)
    else value

  private def columns(row: JsonNode): Map[String, JsonNode] = row match {
    case fields: ObjectNode => Javas.list(fields.fieldNames).map(name => name -> fields.get(name)).toMap
    case items if items.isArray =>
      Javas.list(items.elements).zipWithIndex.map { case (item, index) => index.toString -> item }.toMap
    case scalar => Map("0" -> scalar)
  }

  private def merge(known: TreeMap[String, String], row: Map[String, JsonNode]): TreeMap[String, String] =
    row.foldLeft(known) { case (types, (name, value)) =>
      types + (name -> types.get(name).fold(kind(value))(common(_, kind(value))))
    }

  private def common(one: String, other: String): String = (one, other) match {
    case (Null, kind) => kind
    case (kind, Null) => kind
    case (Integer, Double) | (Double, Integer) => Double
    case _ if one == other => one
    case _ => throw new TypesDoNotMatch
  }

  private val Null = "NULL_TYPE"
  private val Integer = "BIGINT_TYPE"
  private val Double = "DOUBLE_TYPE"

  /** Up to here a double keeps each integer. */
  private val MostExact = 1L << 53

  private def kind(value: JsonNode): String = value.getNodeType match {
    case JsonNodeType.NULL | JsonNodeType.MISSING => Null
    case JsonNodeType.BOOLEAN => "BOOLEAN_TYPE"
    case JsonNodeType.STRING => "STRING_TYPE"
    case JsonNodeType.ARRAY => "ARRAY_TYPE"
    case JsonNodeType.OBJECT => "MAP_TYPE"
    case _ if value.isIntegralNumber => Integer
    case _ if value.isBigDecimal => "DECIMAL_TYPE"
    case _ if value.isNumber => Double
    case _ => "STRING_TYPE"
  }
}
