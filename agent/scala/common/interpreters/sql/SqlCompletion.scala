package livius.agent

import scala.util.Try

import org.apache.spark.sql.SparkSession

/** Completes the word at the cursor from keywords, the tables at hand, and the columns of the
  * tables that the text names.
  */
final class SqlCompletion(session: SparkSession) {

  import SqlCompletion._

  def candidates(code: String, cursor: Int): Seq[String] = {
    val before = code.take(cursor)
    val word = before.reverse.takeWhile(isWordChar).reverse
    if (word.isEmpty && !before.endsWith(".")) Nil
    else {
      val qualified = before.dropRight(word.length).endsWith(".")
      val names = if (qualified) columns(code) else keywords(word) ++ tables ++ columns(code)
      names.filter(startsWith(_, word)).distinct.sorted.take(Most)
    }
  }

  private def tables: Seq[String] =
    Try(session.sql("SHOW TABLES").collect().toSeq.map(_.getAs[String]("tableName"))).getOrElse(Nil)

  private def columns(code: String): Seq[String] =
    TableName.findAllMatchIn(code).map(_.group(1)).toSeq.distinct.take(MostTables)
      .flatMap(name => Try(session.table(name).columns.toSeq).getOrElse(Nil))

  private def startsWith(name: String, word: String): Boolean = name.regionMatches(true, 0, word, 0, word.length)

  // In the user's own case: `sel` becomes `select`.
  private def keywords(word: String): Seq[String] =
    if (word.exists(_.isUpper)) Keywords else Keywords.map(_.toLowerCase(java.util.Locale.ROOT))
}

object SqlCompletion {

  private val Most = 200
  private val MostTables = 8
  private val TableName = """(?i)\b(?:from|join|into|update|table|describe)\s+([\w.`]+)""".r

  private def isWordChar(c: Char): Boolean = c.isLetterOrDigit || c == '_'

  private val Keywords =
    """ALL ALTER ANALYZE AND ANTI ANY AS ASC BETWEEN BY CACHE CASE CAST CATALOGS COLUMN COLUMNS CREATE CROSS CUBE CURRENT_DATE
      |CURRENT_TIMESTAMP DATABASE DATABASES DELETE DESC DESCRIBE DISTINCT DISTRIBUTE DROP ELSE END EXCEPT EXISTS EXPLAIN EXTENDED
      |FALSE FIRST FOLLOWING FROM FULL FUNCTION FUNCTIONS GROUP GROUPING HAVING IF IN INNER INSERT INTERSECT INTERVAL INTO IS JOIN
      |LAST LATERAL LEFT LIKE LIMIT MERGE NATURAL NOT NULL NULLS OFFSET ON OR ORDER OUTER OVER OVERWRITE PARTITION PARTITIONED
      |PARTITIONS PIVOT PRECEDING QUALIFY REFRESH RENAME REPLACE RIGHT RLIKE ROLLUP ROW ROWS SCHEMA SCHEMAS SELECT SEMI SET SHOW
      |SORT TABLE TABLES TABLESAMPLE TBLPROPERTIES TEMPORARY THEN TRUE TRUNCATE UNBOUNDED UNCACHE UNION UNPIVOT UPDATE USE USING
      |VALUES VIEW VIEWS WHEN WHERE WINDOW WITH""".stripMargin.split("\\s+").toSeq
}
