package livius.agent

import scala.util.Failure

import org.apache.spark.sql.SparkSession

/** Small pieces of code that do what first statements do. A driver that has run them has loaded the
  * classes and compiled the code that a session's first Spark jobs need, and its Python workers run.
  */
object Lessons {

  /** A piece of code and the kind that it is of. */
  final case class Lesson(kind: String, code: String)

  private val Sql = Seq("SELECT id % 3 AS k, count(*) AS n, sum(id) AS s FROM range(100) GROUP BY id % 3 ORDER BY k")

  private val Python = Seq(
    "n = spark.range(10).count()",
    "t = spark.createDataFrame([(1, 'a'), (2, 'b')], ['n', 't']).groupBy('t').count().show()",
    "n = sc.parallelize(range(10), 2).map(lambda n: n + 1).sum()")

  private val Scala = Seq(
    "spark.range(10).count()",
    "spark.range(10).selectExpr(\"id % 3 AS k\").groupBy(\"k\").count().show()",
    "sc.parallelize(1 to 10, 2).map(_ + 1).reduce(_ + _)")

  private val R = Seq("local(invisible(SparkR::count(SparkR::sql('SELECT id % 3 AS k FROM range(10)'))))")

  /** The lessons of a session of that kind. A shared session has no kind that is used first. */
  def of(kind: String): Seq[Lesson] = kind match {
    case "pyspark" | "pyspark3" => lessons(kind, Python) ++ lessons("sql", Sql)
    case "spark" => lessons(kind, Scala)
    case "sparkr" => lessons(kind, R)
    case _ => lessons("sql", Sql)
  }

  /** Those of all kinds. The last one is for the way in which errors are told. */
  def all: Seq[Lesson] = lessons("sql", Sql) ++ lessons("pyspark", Python) ++ lessons("spark", Scala :+ "1 / 0")

  /** Runs lessons on interpreters that end with them. A kind that this machine lacks, such as Python, is
    * left out.
    *
    * @param goesOn asked before each lesson
    */
  def run(lessons: Seq[Lesson], settings: Settings, spark: SparkSession, classes: ReplClasses, goesOn: () => Boolean): Unit = {
    val interpreters = new Interpreters(settings, () => spark, classes, new JobGroups(None))
    try for ((lesson, number) <- lessons.zipWithIndex if goesOn()) Attempt {
      Documents.of(number, interpreters.ready(lesson.kind).execute(number, lesson.code, LiveStreams.none))
    } match {
      case Failure(error) => Log.line(s"the JVM is not warm for ${lesson.kind}", error)
      case _ => ()
    }
    finally interpreters.close()
  }

  private def lessons(kind: String, codes: Seq[String]): Seq[Lesson] = codes.map(Lesson(kind, _))
}
