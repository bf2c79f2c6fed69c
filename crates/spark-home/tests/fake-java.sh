#!/bin/sh
case "$*" in
  *-XshowSettings*) echo "  java.home = ${0%/bin/java}"; echo "  java.version = 17.0.1" ;;
  *scala.tools.nsc.Main*) : ;;
  *-Xshare:dump*)
    for word; do
      case "$word" in -XX:SharedArchiveFile=*) echo java > "${word#*=}" ;; esac
    done ;;
  *livius.agent.Training*)
    case "$*" in
      *-XX:SharedArchiveFile=*/java.jsa*) : ;;
      *) echo "DynamicDumpSharedSpaces is unsupported when base CDS archive is not loaded"; exit 1 ;;
    esac
    for word; do
      case "$word" in -XX:ArchiveClassesAtExit=*) echo classes > "${word#*=}" ;; esac
    done
    echo "livius-training done" ;;
  *org.apache.spark.launcher.Main*) printf '%s\0' "$0" -cp /x -Xmx1g --a-flag org.apache.spark.deploy.SparkSubmit --version ;;
  *livius.agent.Main*|*livius.test.Application*|*livius.agent.StandaloneSubmit*) eval "$BEHAVIOUR" ;;
  *livius.agent.SelfCheck*) echo "livius-self-check ok 4.1.4" ;;
  *) exit 99 ;;
esac
