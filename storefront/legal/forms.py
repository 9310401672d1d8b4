"""The parameters of the terms by their French names: to edit them, to read what changed."""

from __future__ import annotations

# In the order and under the headings in which they are edited.
GROUPS: dict[str, dict[str, str]] = {
    "Assistance": {
        "hour_pack_validity_months": "Validité d’un forfait d’heures",
        "hour_slice_minutes": "Tranche de décompte du temps",
        "expiry_reminder_days": "Rappels avant l’expiration des heures",
        "reply_business_days": "Délai de réponse à une demande",
        "intervention_min_hours": "Intervention : au plus tôt après la demande",
        "intervention_max_hours": "Intervention : au plus tard après la demande",
        "late_cancellation_hours": "Annulation d’un rendez-vous sans frais jusqu’à",
        "late_cancellation_minutes": "Temps retenu pour une annulation tardive",
        "warranty_deduction_minutes": "Temps décompté si la panne ne vient pas de nous",
        "complaint_hours": "Délai conseillé pour signaler ses réserves",
    },
    "Rétractation": {
        "withdrawal_days": "Délai de rétractation",
        "refund_days": "Délai de remboursement",
        "pro_withdrawal": "Rétractation d’un professionnel sur une offre payante",
        "training_withdrawal_days": "Délai de rétractation d’une formation",
        "early_start_sentence": "Phrase de la case « commencer avant la fin du délai »",
        "digital_waiver_sentence": "Phrase de la case « contenu numérique immédiat »",
    },
    "Commander et payer": {
        "acceptance_sentence": "Phrase de la case des conditions générales",
        "seat_hold_minutes": "Réservation pendant le paiement",
        "offer_validity_days": "Validité d’un devis",
        "instalments_max_products": "Nombre d’échéances : guides, contenus, modèles",
        "instalments_max_trainings": "Nombre d’échéances : formations",
        "instalment_interval": "Rythme des échéances",
        "debit_notice_days": "Annonce d’un prélèvement",
        "training_first_share_max_bp": "Première part d’une formation, au plus",
        "offline_payment_days": "Virement ou chèque : délai de paiement",
        "offline_reminder_days": "Virement ou chèque : rappel avant la fin du délai",
    },
    "Impayés": {
        "debit_retry_days": "Nouveaux essais, chacun après le précédent",
        "late_reminder_days": "Rappel après l’échéance",
        "formal_notice_days": "Mise en demeure d’un consommateur après l’échéance",
        "consumer_notice_days": "Délai que laisse la mise en demeure",
        "professional_suspension_days": "Suspension d’un professionnel après l’échéance",
        "consumer_acceleration": "Consommateur : le reste de l’échéancier",
        "professional_acceleration": "Professionnel : le reste de l’échéancier",
        "acceleration_notice_days": "Délai d’une mise en demeure avant exigibilité",
        "professional_interest_multiplier": "Pénalités des professionnels, en fois le taux légal",
        "annual_contract_interest_bp": "Contrat annuel payé au mois : taux de pénalité",
        "recovery_fee_minor": "Indemnité de recouvrement des professionnels",
        "amicable_days": "Recherche d’une solution amiable",
    },
    "Abonnements": {
        "commitment_months": "Durée d’engagement",
        "early_exit_reasons": "Motifs de fin anticipée",
        "subscription_grace_days": "Service maintenu après un refus de paiement",
        "price_notice_days": "Annonce d’un nouveau prix ou de nouvelles conditions",
        "renewal_opt_out_days": "Refus d’une reconduction jusqu’à, avant le terme",
        "termination_notice_hours": "Préavis quand nous arrêtons une offre",
        "platform_notice_days": "Préavis d’un professionnel de l’Union européenne",
        "breach_cure_days": "Délai pour réparer un manquement",
        "outage_credit_hours": "Interruption qui donne un avoir",
        "availability_target_bp": "Disponibilité visée",
    },
    "Données": {
        "retention_prospect_months": "Conservation des données de prospection",
        "retention_accounting_years": "Conservation des pièces comptables",
    },
}

LABELS = {name: label for group in GROUPS.values() for name, label in group.items()}

# What a bare number is typed in.
UNITS = {
    "minutes": "en minutes",
    "hours": "en heures",
    "days": "en jours",
    "business_days": "en jours ouvrés",
    "months": "en mois",
    "years": "en années",
    "money": "en euros",
    "percent": "en pour cent",
}
