package org.apache.spark.deploy.livius

import org.apache.spark.internal.Logging
import org.apache.spark.util.Utils

/** Keeps Spark's own lines out of a log that belongs to a user. In Spark's package because Spark keeps
  * its means to itself.
  */
object QuietLogging extends Logging {

  /** For the rest of the process. */
  def install(): Unit = {
    // The first log line would initialise logging with Spark's own level.
    initializeLogIfNecessary(isInterpreter = true, silent = true)
    levels.foreach(_.set("OFF"))
  }

  /** While the work is done. What Spark says about its own logging is kept out too. */
  def during[T](work: => T): T = {
    initializeLogIfNecessary(isInterpreter = false, silent = true)
    val before = levels.map(_.ofRoot)
    levels.foreach(_.set("OFF"))
    try work finally for (found <- levels; level <- before) found.restore(level)
  }

  private lazy val levels: Option[Levels] =
    Utils.getClass.getMethods.find(method => method.getName == "setLogLevel" && method.getParameterCount == 1).map(new Levels(_))

  /** By reflection: the class of the levels comes from log4j 1 up to Spark 3.2, and from log4j 2 after
    * that.
    */
  private final class Levels(setter: java.lang.reflect.Method) {

    private val level = setter.getParameterTypes.head

    def set(name: String): Unit = restore(level.getMethod("toLevel", classOf[String]).invoke(null, name))

    def restore(level: AnyRef): Unit = setter.invoke(Utils, level): Unit

    def ofRoot: AnyRef = {
      val holder = if (level.getName.startsWith("org.apache.log4j.")) "org.apache.log4j.Logger" else "org.apache.logging.log4j.LogManager"
      val root = Class.forName(holder).getMethod("getRootLogger").invoke(null)
      root.getClass.getMethod("getLevel").invoke(root)
    }
  }
}
