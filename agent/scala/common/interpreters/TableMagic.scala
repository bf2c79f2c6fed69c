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
    table.replace("data", Json.arr(rows.map(row => Json.arr(types.keys.map(row.getOrElse(_, Json.nodes.nullNode()))))))
    table
  }

  private def columns(row: JsonNode): Map[String, JsonNode] = row match {
    case fields: ObjectNode => Javas.list(fields.fieldNames).map(name => name -> fields.get(name)).toMap
    case items if items.isArray =>
      Javas.list(items.elements).zipWithIndex.map { case (item, index) => index.toString -> item }.toMap
    case scalar => Map("0" -> scalar)
  }

  // A null goes with every type.
  private def merge(known: TreeMap[String, String], row: Map[String, JsonNode]): TreeMap[String, String] =
    row.foldLeft(known) { case (types, (name, value)) =>
      (types.get(name), kind(value)) match {
        case (None | Some(Null), found) => types + (name -> found)
        case (Some(expected), found) if found == expected || found == Null => types
        case _ => throw new TypesDoNotMatch
      }
    }

  private val Null = "NULL_TYPE"

  private def kind(value: JsonNode): String = value.getNodeType match {
    case JsonNodeType.NULL | JsonNodeType.MISSING => Null
    case JsonNodeType.BOOLEAN => "BOOLEAN_TYPE"
    case JsonNodeType.STRING => "STRING_TYPE"
    case JsonNodeType.ARRAY => sameTypes(value); "ARRAY_TYPE"
    case JsonNodeType.OBJECT => sameTypes(value); "MAP_TYPE"
    case _ if value.isIntegralNumber => "BIGINT_TYPE"
    case _ if value.isBigDecimal => "DECIMAL_TYPE"
    case _ if value.isNumber => "DOUBLE_TYPE"
    case _ => "STRING_TYPE"
  }

  private def sameTypes(items: JsonNode): Unit =
    if (Javas.list(items.elements).map(kind).filter(_ != Null).distinct.size > 1) throw new TypesDoNotMatch
}
