package livius.agent

import scala.util.Failure

import org.apache.hadoop.conf.Configuration
import org.apache.spark.sql.catalyst.parser.CatalystSqlParser
import org.codehaus.janino.ClassBodyEvaluator

/** Makes the JVM of a primed driver warm.
  *
  * There is no SparkContext, also not for a while: Spark keeps parts of the first configuration for
  * as long as the JVM lives, such as the local directories.
  */
object Priming {

  /** Does what every start of a session does and no configuration changes, until a session comes. */
  def run(isWanted: () => Boolean): Unit =
    for ((name, step) <- Steps if isWanted()) Attempt(step()) match {
      case Failure(error) => Log.line(s"the driver is not warm in all parts: $name: ${StackTraces.message(error)}")
      case _ => ()
    }

  private val Steps = Seq[(String, () => Unit)](
    "the SQL parser" -> (() => CatalystSqlParser.parsePlan(Query): Unit),
    "Hadoop's configuration" -> (() => new Configuration().get("fs.defaultFS"): Unit),
    "the compiler of queries" -> (() => compile()))

  private val Query = "SELECT id % 3 AS k, count(*) AS n FROM t WHERE id > 0 GROUP BY id % 3 ORDER BY k"

  private def compile(): Unit = {
    val compiler = new ClassBodyEvaluator()
    compiler.setParentClassLoader(getClass.getClassLoader)
    compiler.cook("public int sum(Object[] values) { int s = 0; for (int i = 0; i < values.length; i++) s += i; return s; }")
  }
}
