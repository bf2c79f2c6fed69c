package org.apache.spark.deploy.livius

import scala.reflect.ClassTag
import scala.util.{Failure, Success, Try}
import scala.util.control.NonFatal

import org.apache.spark.{SecurityManager, SparkConf}
import org.apache.spark.deploy.DeployMessages._
import org.apache.spark.deploy.master.{DriverInfo, DriverState, Master, RecoveryState}
import org.apache.spark.rpc.{RpcAddress, RpcEnv}

/** A driver as the master describes it. The state has Spark's own name. */
final case class DriverReport(state: String, worker: Option[String], exception: Option[String]) {
  def isFinal: Boolean = StandaloneMaster.FinalStates(state)
}

/** No master answered, or none of them is the active one. */
final class NoMaster(message: String) extends Exception(message)

/** The masters of a standalone cluster, of which one is active. In Spark's package because Spark
  * keeps the messages to itself.
  *
  * All calls throw [[NoMaster]] when there is no answer.
  */
final class StandaloneMaster(url: String, properties: Map[String, String]) {

  import StandaloneMaster._

  private val conf = new SparkConf(false).setAll(properties)
  // With Spark's default of two minutes a stop would be noticed too late.
  Seq("spark.rpc.askTimeout", "spark.rpc.lookupTimeout", "spark.rpc.io.connectionTimeout", "spark.rpc.io.connectionCreationTimeout")
    .foreach(conf.setIfMissing(_, "10s"))
  private lazy val rpc = RpcEnv.create("livius", "localhost", 0, conf, new SecurityManager(conf), clientMode = true)

  // The one that answered last is asked first.
  private var masters: Seq[RpcAddress] =
    url.stripPrefix(Scheme).split(',').toSeq.map(_.trim).filter(_.nonEmpty).map(host => RpcAddress.fromSparkURL(Scheme + host))

  /** The driver that was submitted with a Java option. There can be several: one that is lost with
    * its worker is replaced.
    */
  def driverWith(option: String): Option[String] = {
    val state = stateOfCluster()
    def newest(drivers: Array[DriverInfo]): Option[DriverInfo] =
      drivers.filter(_.desc.command.javaOpts.contains(option)).sortBy(driver => (driver.startTime, driver.id)).lastOption
    newest(state.activeDrivers).orElse(newest(state.completedDrivers)).map(_.id)
  }

  /** None if the master does not know the driver. */
  def report(driver: String): Option[DriverReport] =
    try statusOf(driver)
    catch { case failure: NoMaster => if (hasEnded(driver, failure)) Some(Unreadable) else throw failure }

  /** Asks for the driver's end; its state tells when that has come. */
  def kill(driver: String): Unit =
    ask[KillDriverResponse, Unit](RequestKillDriver(driver))(_ => Some(()))

  /** The address of a worker's web UI, which shows a driver's log. */
  def webUi(worker: String): Option[String] =
    stateOfCluster().workers.find(_.id == worker).map(_.webUiAddress)

  // The state of the cluster has the drivers without their states.
  private def statusOf(driver: String): Option[DriverReport] =
    ask[DriverStatusResponse, Option[DriverReport]](RequestDriverStatus(driver)) {
      case answer if answer.found =>
        Some(Some(DriverReport(answer.state.fold("UNKNOWN")(_.toString), answer.workerId, answer.exception.map(_.toString))))
      // A master that is not active responds with an exception.
      case answer => if (answer.exception.isEmpty) Some(None) else None
    }

  /** If the exception's class exists on the worker only, the whole response cannot be read. */
  private def hasEnded(driver: String, failure: NoMaster): Boolean =
    try stateOfCluster().completedDrivers.exists(_.id == driver)
    catch { case _: NoMaster => throw failure }

  private def stateOfCluster(): MasterStateResponse =
    ask[MasterStateResponse, MasterStateResponse](RequestMasterState)(state => Some(state).filter(_.status == RecoveryState.ALIVE))

  private def ask[A: ClassTag, B](message: Any)(take: A => Option[B]): B = {
    val failures = Seq.newBuilder[String]
    val answers = masters.iterator.map { address =>
      val answer = Try(rpc.setupEndpointRef(address, Master.ENDPOINT_NAME).askSync[A](message)).map(take)
      answer match {
        case Success(Some(_)) => masters = address +: masters.filterNot(_ == address)
        case Success(None) => failures += s"$address is not in charge"
        case Failure(NonFatal(failure)) => failures += s"$address: ${reason(rootOf(failure))}"
        case Failure(fatal) => throw fatal
      }
      answer.toOption.flatten
    }
    answers.collectFirst { case Some(answer) => answer }.getOrElse(throw new NoMaster(failures.result().mkString("; ")))
  }
}

object StandaloneMaster {
  private val Scheme = "spark://"

  private[livius] val FinalStates =
    Set(DriverState.FINISHED, DriverState.FAILED, DriverState.ERROR, DriverState.KILLED).map(_.toString)

  private val Unreadable = DriverReport(DriverState.ERROR.toString, None,
    Some("the worker's exception is of a class that is unknown here; the worker's log has it"))

  /** Spark's message for a connection that was closed while it was set up. */
  private def reason(failure: Throwable): String =
    if (String.valueOf(failure.getMessage).contains("Outbox is stopped"))
      "it closed the connection; do spark.authenticate and its secret fit?"
    else failure.toString.takeWhile(_ != '\n') // another side's failure comes with its stack trace

  /** The innermost cause. The outer exceptions only describe Spark's own layers. */
  @scala.annotation.tailrec
  private def rootOf(failure: Throwable): Throwable =
    if (failure.getCause == null || (failure.getCause eq failure)) failure else rootOf(failure.getCause)
}
