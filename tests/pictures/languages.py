"""What Windows says in other languages: bug check, recovery, key, updates."""

from __future__ import annotations

BUGCHECK = {
    "de": ("Auf dem PC ist ein Problem aufgetreten. Er muss neu gestartet werden.", "Stillstandcode:"),
    "fr": ("Votre PC a rencontré un problème et doit redémarrer.", "Code d'arrêt :"),
    "es": ("Tu PC tuvo un problema y debe reiniciarse.", "Código de detención:"),
    "it": ("Il PC ha riscontrato un problema e deve essere riavviato.", "Codice di interruzione:"),
    "pt": ("Seu PC encontrou um problema e precisa ser reiniciado.", "Código de parada:"),
    "nl": ("Er is een probleem opgetreden met uw pc en deze moet opnieuw worden opgestart.", "Stopcode:"),
    "pl": ("Na komputerze wystąpił problem i konieczne jest jego ponowne uruchomienie.", "Kod zatrzymania:"),
    "sv": ("Ett problem har uppstått med datorn och den måste startas om.", "Stoppkod:"),
    "cs": ("V počítači nastal problém a je potřeba ho restartovat.", "Kód zastavení:"),
    "tr": ("Bilgisayarınız bir sorunla karşılaştı ve yeniden başlatılması gerekiyor.", "Durdurma kodu:"),
    "ru": ("На вашем ПК возникла проблема, и его необходимо перезагрузить.", "Код остановки:"),
    "ja": ("問題が発生したため、PC を再起動する必要があります。", "停止コード:"),
    "zh": ("你的电脑遇到问题，需要重新启动。", "终止代码:"),
    "ko": ("PC에 문제가 발생하여 다시 시작해야 합니다.", "중지 코드:"),
}  # fmt: skip

RECOVERY = {
    "de": ("Option auswählen", "Fortsetzen", "Problembehandlung", "PC ausschalten"),
    "fr": ("Choisir une option", "Continuer", "Dépannage", "Éteindre votre PC"),
    "es": ("Elegir una opción", "Continuar", "Solucionar problemas", "Apagar el equipo"),
    "ru": ("Выбор действия", "Продолжить", "Поиск и устранение неисправностей", "Выключить компьютер"),
    "ja": ("オプションの選択", "続行", "トラブルシューティング", "PC の電源を切る"),
    "zh": ("选择一个选项", "继续", "疑难解答", "关闭电脑"),
}  # fmt: skip

KEY = {
    "de": ("BitLocker-Wiederherstellung", "Geben Sie den Wiederherstellungsschlüssel für dieses Laufwerk ein.", "Wiederherstellungsschlüssel-ID:"),
    "fr": ("Récupération BitLocker", "Entrez la clé de récupération pour ce lecteur.", "ID de clé de récupération :"),
    "es": ("Recuperación de BitLocker", "Escribe la clave de recuperación de esta unidad.", "Id. de clave de recuperación:"),
    "ja": ("BitLocker 回復", "このドライブの回復キーを入力してください", "回復キー ID:"),
}  # fmt: skip

UPDATING = {
    "de": ("Updates werden verarbeitet: 30 % abgeschlossen", "Schalten Sie den Computer nicht aus"),
    "fr": ("Mise à jour 30 % terminée", "N'éteignez pas votre ordinateur"),
    "es": ("Trabajando en las actualizaciones 30 %", "No apagues el equipo"),
    "ru": ("Работа с обновлениями 30 %", "Не выключайте компьютер"),
    "zh": ("正在处理更新 30%", "请勿关闭计算机"),
}
